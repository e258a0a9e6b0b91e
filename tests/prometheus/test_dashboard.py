"""The dashboard is what Grafana imports: whole, and nothing of it hides behind something else."""

import itertools

import files


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    panels = files.dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for place in places:
        assert place["x"] + place["w"] <= 24 and min(place.values()) >= 0
    for a, b in itertools.combinations(places, 2):
        assert a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or \
            a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)


def test_every_panel_asks_the_chosen_source_for_the_chosen_machines():
    variables = {one["name"] for one in files.dashboard()["templating"]["list"]}
    assert variables == {"datasource", "instance"}
    for panel in files.panels():
        assert panel["title"] and panel["targets"], panel["id"]
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            for selector in files.selectors(target["expr"]):
                assert 'instance=~"$instance"' in selector, target["expr"]


def test_it_belongs_to_no_one_grafana():
    dashboard = files.dashboard()
    assert "id" not in dashboard and "__inputs" not in dashboard
    assert dashboard["uid"] == "hikyaku" and dashboard["schemaVersion"] >= 36
