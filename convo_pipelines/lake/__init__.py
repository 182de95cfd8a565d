"""The lake: derived tables of all cells as Iceberg tables, a row group of files for each cell and UTC day."""
