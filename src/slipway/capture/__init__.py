"""Captured requests, answers and labels of an endpoint, in Parquet segments on this disk.

FOLDER/NAME/requests/YYYY-MM-DD/HHMMSS-vVERSION-SESSION-NUMBER.parquet     a row for each row of a request
FOLDER/NAME/labels/YYYY-MM-DD/HHMMSS-vVERSION-SESSION-NUMBER.parquet       a row for each label that came back
"""
