"""What notebook cells call: blocks, charts, and text made safe to show."""
