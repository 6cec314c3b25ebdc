"""Engine: what a pipeline is about to release, refused or let through, and why.

A pass is said only of what was looked at: a scan that failed, that was not made, or that saw
nothing leaves the gate incomplete.
"""
