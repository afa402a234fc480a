from __future__ import annotations
from tests.tui.conftest import *
from tui_licenses.tui.widgets.row_table import RowTable
async def test_look(open_dashboard, inventory, loaded_store) -> None:
        async with open_dashboard(loaded_store, size=(120,40)) as d:
            inst=next(i for i in inventory.instances if i.has_profile and i.add_on_count>1)
            orig=RowTable._measure
            def m(self):
                orig(self); print('MEASURE', self.id, self.scrollable_content_region, self.size, [c for _,c in self._fitted])
            RowTable._measure=m
            d.app.open_key(inst.master_key_id)
            await d.pilot.pause(); await d.pilot.pause(0.5)
            t=d.app.screen.query_one('#licenses')
            print(t.size, t.scrollable_content_region)
            RowTable._measure=orig
