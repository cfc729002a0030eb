"""The storm: live trading's own code in virtual time, against models of the five exchanges, under faults.

Everything random comes from one seed and time moves only when nobody has anything left to do, so a seed
that fails repeats to the last step.
"""
