#!/bin/sh
# A stand-in of systemctl for tests in namespaces, where no systemd runs: units of /etc/systemd/system whose ExecStart it
# starts in the background. State: $units/NAME.pid, .enabled, .loaded (what the file held at daemon-reload).
units=/run/stand-in-units
mkdir -p $units
now= property=
while [ $# -gt 0 ]; do
  case $1 in
    --now) now=yes ;;
    --property=*) property="$property ${1#--property=}" ;;
    --*) ;;
    *) words="${words:-} ${1%.service}" ;;
  esac
  shift
done
# shellcheck disable=SC2086 # a list of words
set -- $words
verb=$1 unit=${2:-}
file=/etc/systemd/system/$unit.service
pid=$(cat "$units/$unit.pid" 2>/dev/null || echo 0)

active() { [ "$pid" != 0 ] && kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status"; }
stop() {
  if active; then kill "$pid"; fi
  while active; do sleep .05; done
  rm -f "$units/$unit.pid"
}
start() {
  active && return
  command=$(sed -n 's/^ExecStart=//p' "$file")
  $command >>"$units/$unit.log" 2>&1 </dev/null &
  echo $! >"$units/$unit.pid"
}

case $verb in
  daemon-reload)
    rm -f $units/*.loaded
    for one in /etc/systemd/system/*.service; do name=${one##*/}; cp "$one" "$units/${name%.service}.loaded"; done
    ;;
  enable) : >"$units/$unit.enabled"; [ -z "$now" ] || start ;;
  disable) rm -f "$units/$unit.enabled"; [ -z "$now" ] || stop ;;
  start) start ;;
  stop) stop ;;
  restart) stop; pid=0; start ;;
  is-active) active ;;
  is-enabled) [ -e "$units/$unit.enabled" ] ;;
  show)
    for one in $property; do
      case $one in
        MainPID) active && echo "MainPID=$pid" || echo MainPID=0 ;;
        ActiveState) active && echo ActiveState=active || echo ActiveState=inactive ;;
        LoadState) [ -e "$units/$unit.loaded" ] && echo LoadState=loaded || echo LoadState=not-found ;;
        NeedDaemonReload) cmp -s "$file" "$units/$unit.loaded" && echo NeedDaemonReload=no || echo NeedDaemonReload=yes ;;
      esac
    done
    ;;
  *) echo "stand-in: systemctl does not play $verb" >&2; exit 70 ;;
esac
