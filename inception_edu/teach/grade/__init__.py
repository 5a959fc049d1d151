"""Grading a folder of handed-in chapters and journals.

    python -m inception_edu.teach.grade FOLDER              the table: students and exercises
    python -m inception_edu.teach.grade FOLDER --csv FILE   with the diagnoses, for a spreadsheet

Every entry of FOLDER is a student: a folder with notebooks or a journal in it (nbgrader's
`submitted/STUDENT/ASSIGNMENT/` too), or a single `STUDENT.ipynb` or `STUDENT.jsonl`.

What a student wrote runs in a process of its own, with limits on time and memory and in an empty
folder, and only as much of it as the answers need. That protects against loops, huge arrays and
files written by mistake; it is no wall against somebody who wants to break out or to forge a
verdict. Grade strangers in a container or on another machine.
"""
