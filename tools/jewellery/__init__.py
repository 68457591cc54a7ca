"""Renders the pictures of the demo jewellery, and writes down what they show.

Solids of metal are signed distances, marched; stones are facet planes, traced with refraction,
total internal reflection and dispersion; light is a studio of soft boxes and dark cards. Run it
with `python -m tools.jewellery FOLDER`. The same seed gives the same pictures. Those of the view
`hero` stand in ELYSIUM's home page, under `static/img/elysium`.
"""
