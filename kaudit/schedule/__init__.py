"""What runs kaudit inside a cluster again and again: its manifests, checked and written."""
