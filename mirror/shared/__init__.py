"""Memory that all worker processes of one mirror share: counters, connections by address, the bandwidth budget.

Owns its layout; anonymous pages that the supervisor maps before it forks, so that they outlive every worker.
"""
