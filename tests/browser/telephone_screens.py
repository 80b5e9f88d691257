"""`make telephone`: the telephone's page on a sandbox of its own, in a Chromium six times slower than this machine.

Prints how long it takes (offline start, tap to saved), and draws each screen at 320, 360 and 768 pixels into docs/telephone/. The
people on them are those of the demonstration territory: nobody's data.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, ViewportSize

from ..services.chromium import launched
from ..services.running_sandbox import Running, start, stop
from .conftest import FLAGS
from .handset import Handset, enrolled
from .line import Line
from .windows import Windows

SLOWER: Final = 6
TIMES: Final = 7
WIDTHS: Final = (320, 360, 768)
WHOLE: Final = 360
"""At the other widths what is kept is what is seen first; into any folder but ours all is drawn to its end."""
KEPT_IN: Final = Path("docs/telephone")
STARTED: Final = """
  const look = () => document.querySelector('[data-tiles] button') ? (window.started = performance.now()) : requestAnimationFrame(look);
  look();
"""
SAVED: Final = """() => new Promise((done) => {
  const began = performance.now();
  const look = () => document.querySelector('main [data-undo]')?.hidden === false ? done(performance.now() - began)
    : requestAnimationFrame(look);
  document.querySelector('#visite [type=submit]').click();
  look();
})"""
KEPT: Final = """() => new Promise((done) => {
  const put = IDBObjectStore.prototype.put;
  const began = performance.now();
  IDBObjectStore.prototype.put = function (...given) {
    this.transaction.addEventListener('complete', () => {
      IDBObjectStore.prototype.put = put;
      done(performance.now() - began);
    });
    return put.apply(this, given);
  };
  const answers = [...document.querySelectorAll('#visite input[name=meal]')];
  answers.find((one) => !one.checked).click();
})"""
OPENED: Final = """(pin) => new Promise((done) => {
  const began = performance.now();
  const look = () => document.querySelector('[data-cards] li') ? done(performance.now() - began) : requestAnimationFrame(look);
  document.querySelector('#code').value = pin;
  document.querySelector('main form [type=submit]').click();
  look();
})"""


async def main(folder: Path) -> None:
    async with _telephones() as another:
        await _measure(await another())
        await _draw(await another(), folder)


@asynccontextmanager
async def _telephones() -> AsyncIterator[Callable[[], Awaitable[Handset]]]:
    """Each time that it is called, another telephone of the service."""
    with tempfile.TemporaryDirectory(prefix="liaison-telephone-") as folder:
        territory = start(Path(folder) / "data")
        try:
            with enrolled(territory) as desk:
                secret = desk.http.cookies["liaison-phone"]
            async with launched(FLAGS) as browser:
                yield partial(_in_hand, territory, browser, secret)
        finally:
            stop(territory)


async def _in_hand(territory: Running, browser: Browser, secret: str) -> Handset:
    line = Line(str(territory.known["issuer"]))
    await line.open()
    page = await Windows(browser, line.url).elsewhere(line.url)
    made = Handset(territory, page, line, secret, [])
    made.listen(page)
    await made.carry(secret)
    return made


async def _draw(handset: Handset, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page = handset.page

    async def drawn(name: str) -> None:
        for width in WIDTHS:
            await page.set_viewport_size(ViewportSize(width=width, height=640))
            whole = width == WHOLE or folder != KEPT_IN
            path = folder / f"{name}-{width}.png"
            await page.screenshot(path=path, full_page=whole, scale="css", animations="disabled")
        await page.set_viewport_size(ViewportSize(width=360, height=640))

    await page.goto("/telephone")
    await handset.sees("Qui êtes-vous ?")
    await drawn("1-qui")
    handset.designate("social_worker")
    handset.stay("Odette M", "entree")
    await handset.carry_session("aide2")
    await page.goto("/telephone")
    await page.get_by_label("Votre code, encore une fois").wait_for()
    await drawn("2-code")
    await handset.choose_code("135790")
    await handset.ready()
    await handset.line.cut()
    await drawn("3-aujourd-hui")
    await handset.press("Visite : ")
    await drawn("4-visite")
    await page.get_by_label("Porte close").tap()
    await drawn("5-porte-close")
    await page.get_by_label("Présente", exact=True).tap()
    await handset.press("Rien à signaler")
    await handset.press("Tout fait")
    await page.get_by_role("link", name="Alerte").tap()
    await page.get_by_label("Quelque chose m'inquiète").tap()
    await drawn("6-alerte")
    await page.get_by_label("Quelque chose m'inquiète").tap()
    await handset.press("Enregistrer la visite")
    await page.get_by_role("button", name="Annuler").wait_for()
    await drawn("7-enregistree")
    await handset.press("Visite : ")
    await handset.press("La personne s'oppose au partage")
    await page.get_by_label("À tout partage").tap()
    await drawn("8-opposition")
    await handset.press("Revenir sans rien enregistrer")
    await handset.press("Visite : ")
    await handset.press("Signaler une maltraitance")
    await drawn("9-signalement")
    await handset.press("Revenir sans rien enregistrer")
    await handset.later()
    await handset.send()
    await page.get_by_text("Pas de réseau.").wait_for()
    await drawn("10-a-envoyer")
    print(f"{folder}: {sum(one.stat().st_size for one in folder.glob('*.png')) // 1024} KiB")


async def _measure(handset: Handset) -> None:
    """Not once a journey has set the clock of the page: then the page's own clock is no measure."""
    page, found = handset.page, dict[str, list[float]]()
    await handset.begin("aide2")
    await handset.ready()
    await handset.line.cut()
    slow = await page.context.new_cdp_session(page)
    await slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})

    def took(what: str, milliseconds: Any) -> None:
        found.setdefault(what, []).append(float(milliseconds))

    await page.add_init_script(STARTED)
    for _ in range(TIMES):
        await page.reload()
        await page.get_by_role("button", name="Kévin B.").wait_for()
        took("offline start, to the tiles", await page.evaluate("window.started"))
        await handset.press("Kévin B.")
        took("code typed, to the tour", await page.evaluate(OPENED, "135790"))
        await page.get_by_text("Une visite qui n'était pas prévue").first.tap()
        await page.locator("[data-people] button").first.tap()
        await handset.press("Rien à signaler")
        took("answer touched, to kept", await page.evaluate(KEPT))
        took("« Enregistrer », to saved", await page.evaluate(SAVED))
    print(f"{SLOWER} times slower, {TIMES} times, in milliseconds: median, worst")
    for what, times in found.items():
        print(f"{what:32}{statistics.median(times):8.0f}{max(times):8.0f}")
    await page.context.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else KEPT_IN))
