"""What the endpoint was asked and answered, in Parquet segments on this disk.

FOLDER/NAME/requests/YYYY-MM-DD/HHMMSS-vVERSION-SESSION-NUMBER.parquet     a row for each row that was asked about
FOLDER/NAME/labels/YYYY-MM-DD/HHMMSS-vVERSION-SESSION-NUMBER.parquet       a row for each label that came back
"""
