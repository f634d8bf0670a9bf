"""A run on disk, in reading order.

eval_spec - what a run asks, and what of it may grow
journal - journal.sqlite: a row for every call, kept before its use
prepare - a spec checked against its pack and folder, and the texts that it asks for
provenance - where models were reached and with what, and the settings of each grading
readback - the journal read text by text: conversation, marks, verdict
grade_rows - rows of grades.parquet, whoever the grader is
labels - labels.parquet: the marks that people gave
run_tables - the tables and the manifest, from the journal
"""
