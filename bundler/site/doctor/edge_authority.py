"""Whether the authority that the cloud has now is the one that edges know.

cloudcore makes a new authority when it cannot read its secret at its start; every edge that joined before is then lost
after the next restart. So the secret, the token's first part and an edge's rootCA.crt are compared.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bundler.site.certificates import summary
from bundler.site.doctor.examined import Examined
from bundler.site.kubeedge.cluster_state import AUTHORITY, BACKUPS, TOKEN, secret_value
from bundler.site.kubeedge_places import EDGE_CA
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.site.step import StepContext

_SHOWN = 12


def examine_trust(at: StepContext) -> Examined:
    """Compare what is to be had on this host."""
    return _cloud(at) if at.this.role == "cloud" else _edge(at)


def _cloud(at: StepContext) -> Examined:
    kubeconfig = at.config.kubeedge.kubeconfig
    secret, _ = secret_value(at.host, kubeconfig, AUTHORITY, "cadata")
    token, _ = secret_value(at.host, kubeconfig, TOKEN, "tokendata")
    if not secret or not token:
        remedy = tr(
            "Look whether the kubeconfig may read secrets in the namespace kubeedge, before cloudcore is restarted."
        )
        what = tr("cannot be read: a cloudcore that is started now would give all edges another authority")
        return Examined(
            "trust", (), (StepFinding("secret-unreadable", what, tr("secret kubeedge/casecret"), remedy, "fault"),)
        )
    ours = hashlib.sha256(secret).hexdigest()
    named = token.decode("ascii", "replace").partition(".")[0]
    facts = (("casecret", ours[:_SHOWN]), ("token", named[:_SHOWN]))
    if ours == named:
        return Examined("trust", facts)
    what = tr(
        "begins with {named}, and casecret is {ours}: nobody can join, and a restart loses all edges",
        named=named[:_SHOWN],
        ours=ours[:_SHOWN],
    )
    remedy = tr(
        "Do not restart cloudcore before the right casecret is back: `kubectl apply -f` its copy in {backups}, "
        "the one that holds the edges' rootCA.crt (`bundler site doctor` on an edge shows its digest).",
        backups=BACKUPS,
    )
    return Examined("trust", facts, (StepFinding("authority-changed", what, tr("the join token"), remedy, "fault"),))


def _edge(at: StepContext) -> Examined:
    data = at.host.read(EDGE_CA)
    if data is None:
        return Examined("trust", (("rootCA.crt", "none"),))
    try:
        digest = summary(data).sha256
    except ValueError:
        remedy = tr("Remove it, and join anew.")
        return Examined(
            "trust", (), (StepFinding("authority-unreadable", tr("is no certificate"), EDGE_CA, remedy, "fault"),)
        )
    # the cloud's doctor shows the same for casecret
    return Examined("trust", (("rootCA.crt", digest[:_SHOWN]),))
