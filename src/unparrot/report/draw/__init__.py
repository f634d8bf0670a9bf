"""Figures. In reading order:

chart - a chart as data: series, rules and shades over two axes
paint - painting with matplotlib: into the page, and into SVG, PNG and PDF files
"""
