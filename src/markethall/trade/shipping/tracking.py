"""Where carriers show how a parcel goes. Pure."""

from __future__ import annotations

from urllib.parse import quote

# As people write a carrier's name, in small letters → the page of one parcel.
_PAGES = {
    "dhl": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}",
    "dpd": "https://www.dpd.com/tracking?parcelNumber={}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={}",
    "gls": "https://gls-group.com/track/{}",
    "la poste": "https://www.laposte.fr/outils/suivre-vos-envois?code={}",
    "royal mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
    "ups": "https://www.ups.com/track?tracknum={}",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
}


def tracking_page(carrier: str, number: str) -> str:
    """The page of a known carrier that shows this parcel; empty where there is none."""
    page = _PAGES.get(" ".join(carrier.lower().split()), "")
    return page.format(quote(number, safe="")) if number else ""


def carriers() -> list[str]:
    """The carriers whose pages are known, as people write them."""
    return [name.upper() if len(name) <= 4 else name.title() for name in _PAGES]
