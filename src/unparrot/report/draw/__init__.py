"""Figures. In reading order:

chart - a chart as data: series, rules and shades over two axes
values - the values of a figure, which the page tells at each point
paint - painting with matplotlib: into the page, and into SVG, PNG and PDF files
"""
