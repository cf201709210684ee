"""What people read: figures, the model card, the page of an experiment.

plots    figures of an evaluation, its slices and its decision; of column importances; of a search
fairness how groups of rows are treated, measured by fairlearn
card     the model card, as Markdown and as HTML
page     everything about one experiment as one HTML file
"""
