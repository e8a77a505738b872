"""The fix toolbox: how a change to a file is written, joined with others, checked and put on disk.

`python` and `javascript` write the edits of one change, `combine` joins the changes that do not touch, `apply` runs
the loop that proves them and writes the files, `diff` shows them as a patch.
"""
