"""The labs: one file a lab. `live.py` holds what they share, `chart.py` draws the curves.

    from inception_edu.labs.scaling import scaling_lab
"""
