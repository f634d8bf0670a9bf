"""The exact grader of micro-English: an independent parser that checks meaning, not keywords."""

from unparrot.lab.grader.grader import Reading, full_marks, grade, marks, read

__all__ = ["Reading", "full_marks", "grade", "marks", "read"]
