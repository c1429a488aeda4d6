"""Documents through PyMuPDF, which nothing else imports.

MuPDF keeps global state: read in several processes, never in several threads of one.
Boxes are in PDF points of the page as displayed (rotation and crop applied), origin top left.
"""

from __future__ import annotations

import pymupdf

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)
