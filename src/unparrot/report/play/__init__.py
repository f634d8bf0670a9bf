"""What readers of a page can play with; each is a `Block` of an element, a script and a style.

ask   - the models of a run of the lab and a parrot, which write what the reader asks for
touch - the theory: random graphs, failing texts, scale

scripts - their scripts and style, as pages take them in

model.js computes a model, parrot.js a parrot, grader.js the marks of a text, and ask.js is the
section around them; curves.js is the theory in numbers, touch.js its pictures.
"""
