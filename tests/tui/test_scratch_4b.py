from __future__ import annotations
from tests.tui.conftest import *

async def test_look(open_dashboard, inventory, loaded_store) -> None:
    for size in ((80,24),):
        async with open_dashboard(loaded_store, size=size) as d:
            inst=next(i for i in inventory.instances if i.has_profile and i.add_on_count>1)
            d.app.open_instance(inst.id)
            await d.pilot.pause(); print(d.text); print('='*80)
            await d.press('l'); await d.type('jap'); print(d.text); print('='*80)
            await d.press('escape','enter'); await d.pilot.pause(); print(d.text); print('='*80)
            await d.press('escape'); await d.press('t'); await d.wait_for('Section', 'system'); print(d.text); print('='*80)
            await d.press('f1'); await d.pilot.pause(); print(d.text); print('='*80)
            await d.press('escape','escape'); await d.press('a'); await d.pilot.pause(); print(d.text); print('='*80)
            keys=[k for k in inventory.keys if k.state=='unassigned']
            print(len(keys), [ (k.kind, k.expires_at) for k in keys][:12])
            await d.type(keys[0].key); await d.press('enter'); await d.pilot.pause(0.5); print(d.text); print('='*80)
            await d.press('f8'); await d.pilot.pause(); print(d.text); print('='*80)
            await d.press('f8'); await d.pilot.pause(0.5); print(d.text); print('='*80)
            await d.press('f7','f7','escape'); await d.pilot.pause(); print(d.text); print('='*80)
            await d.press('y','escape'); await d.press('d'); await d.pilot.pause(0.3); print(d.text); print('='*80)
            await d.press('escape','v'); await d.pilot.pause(); print(d.text); print('='*80)
