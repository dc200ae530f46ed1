"""What the pages show, as plain values; `service/pages.py` renders them."""
