"""Outside catalogues as data: one file a framework, and what kaudit's controls test of them.

``<id>.csv`` opens with ``# key: value`` lines (name, version, publisher, url, notice), then
one row a requirement. ``mappings.csv`` holds one row a control and requirement. Titles are
short and kaudit's own where the text of the publisher may not be copied.
"""
