"""The anchors of histories, and their verification."""
