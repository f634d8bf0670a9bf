"""The exact grader of micro-English: an independent parser that checks meaning, not keywords."""
