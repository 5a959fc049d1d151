"""Grading a folder of handed-in chapters and journals (`python -m inception_edu.teach.grade`)."""
