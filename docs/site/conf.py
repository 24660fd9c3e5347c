"""How the site is built; `cargo xtask docs` does it."""

project = "whimbrel"
author = "the whimbrel project"
copyright = author
extensions = ["myst_parser"]
# The reference of operations, events and errors is written beside these pages from bindings/api.json.
myst_heading_anchors = 3
html_theme = "furo"
html_title = "whimbrel"
html_show_sphinx = False
nitpicky = True
