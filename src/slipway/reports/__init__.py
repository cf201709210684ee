"""What people read: figures, the model card, the page of an experiment.

plots    figures of an evaluation, of column importances and of a search's history
trials   one trial of a search as reports show it
card     the model card, as Markdown and as HTML
page     everything about one experiment as one HTML file
"""
