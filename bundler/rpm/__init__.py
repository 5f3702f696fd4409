"""RPM repositories: metadata, solving, signatures, repodata. The only user of createrepo_c, libsolv and rpm-rs."""
