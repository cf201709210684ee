"""Reports for people: figures, the model card, the page of an experiment, the board and comparisons.

plots       figures of an evaluation, its slices and its decision, of column importances, and of a search
fairness    the treatment of groups of rows, measured by fairlearn
card        the model card, as Markdown and as HTML
page        everything about one experiment as one HTML file
board       the pages of the tracking server
comparison  two versions or runs side by side
words       sentences and numbers that several reports share
"""
