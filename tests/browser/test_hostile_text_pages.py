"""What mean people wrote, in a real browser: none of it runs, no page asks for what its policy forbids."""

import json
import random

from hostile_text import MARK, fill_by_calls, walk
from security_world import reader_many, world  # noqa: F401: fixtures


def test_no_script_of_anybody_runs_on_any_page(world, drive_at):
    fill_by_calls(world, random.Random(9), 3)
    kinds, paths = {}, []
    for path in walk(world.owner) + [f"/u/{world.tokens['unsubscribe']}", f"/p/{world.tokens['preferences']}",
                                     f"/p/data/{world.tokens['data']}", "/f/news"]:
        kind = "".join(c for c in path if not c.isdigit())
        kinds[kind] = kinds.get(kind, 0) + 1
        page = world.owner.get(path)
        if kinds[kind] <= 2 and page.reader and page.answer.text.count(MARK):
            paths.append(path)
    assert len(paths) > 15
    drive_at(world.web, "hostile", HIKYAKU_PATHS=json.dumps(paths), HIKYAKU_MARK=MARK)
