"""
The table of src/web/route.c, read from the source: a test that goes through all routes meets those that are
added later, too.
"""

import collections
import re

from sender import ROOT

Route = collections.namedtuple("Route", "method path scopes flags")
ROW = re.compile(r'\{ "([A-Z]+)", "([^"]+)",\s*([A-Z |0]+),\s*([A-Z_ |0]+),\s*\w+ \}')
SHORT = {"JSON": "TAKES_JSON", "FORM": "TAKES_FORM", "FILE_BODY": "TAKES_FILE"}


def words(text):
    found = (one.strip().removeprefix("ROUTE_") for one in text.split("|"))
    return frozenset(SHORT.get(one, one) for one in found if one != "0")


def all_routes():
    source = (ROOT / "src/web/route.c").read_text()
    table = source[source.index("routes[] = {"):]
    table = table[:table.index("\n};")]
    found = [Route(method, path, words(scopes), words(flags))
             for method, path, scopes, flags in ROW.findall(table)]
    assert len(found) == table.count('{ "') > 100
    return found


def filled(path, *values):
    """The path with something for each {}; the last value is for all that are left."""
    values = list(values)
    return re.sub(r"\{\}", lambda _: values.pop(0) if len(values) > 1 else values[0], path)
