"""What the sources are made of that are changed to see what prodlint makes of them, and what is put among it."""

from __future__ import annotations

import re

TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")
ODD = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\t", b"\x1b[31m", b"\xc2\x9b", b"\\", b"\\\n", b"'", b'"', b"`"),
    *(b"[", b"{", b"(", b"]", b"}", b")", b"${", b"{{", b"%}", b"/*", b"//", b"#", b"<<EOF", b"&a", b"*a", b"<<: *a"),
    *(
        b"---\n",
        b": ",
        b"- ",
        b"prodlint: ignore[",
        b"async ",
        b"await ",
        b"lambda:",
        b"f'{",
        b"@",
        b"=>",
        b"...",
        b";",
    ),
)
