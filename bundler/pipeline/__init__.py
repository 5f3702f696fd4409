"""Lock, plan, fetch, assemble: loops over the kinds of content and never names one."""
