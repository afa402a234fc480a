"""What the lab estate is made of: products, accounts, places and names in many scripts."""

from __future__ import annotations

from dataclasses import dataclass

from tui_licenses.domain.license_key import Feature, KeyKind


@dataclass(frozen=True, slots=True)
class Product:
    """Something a key is sold for."""

    code: str
    name: str
    kind: KeyKind
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where instances stand; `names` are the parts their names are made of."""

    country_code: str
    label: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeedAccount:
    """An account of the lab; its e-mail addresses end with `domain`."""

    name: str
    plan: str
    domain: str


def _feature(code: str, name: str, quantity: int | None = None) -> Feature:
    return Feature(code, name, quantity)


_CORE = (
    _feature("core", "Core server"),
    _feature("publishing", "Content publishing"),
    _feature("scheduling", "Scheduling"),
)

MASTERS = (
    Product(
        "SRV-PRO",
        "Server Pro",
        KeyKind.MASTER,
        (*_CORE, _feature("devices", "Device licenses", 25), _feature("users", "User CALs", 10)),
    ),
    Product(
        "SRV-PROPLUS",
        "Server Pro+",
        KeyKind.MASTER,
        (
            *_CORE,
            _feature("devices", "Device licenses", 100),
            _feature("users", "User CALs", 50),
            _feature("analytics", "Playback analytics"),
        ),
    ),
    Product(
        "SRV-ENT",
        "Server Enterprise",
        KeyKind.MASTER,
        (
            *_CORE,
            _feature("devices", "Device licenses", 500),
            _feature("users", "User CALs", 250),
            _feature("analytics", "Playback analytics"),
            _feature("directory", "Directory integration"),
            _feature("failover", "Failover pair"),
        ),
    ),
)

ADD_ONS = (
    Product(
        "CAL-DEVICE-50",
        "Device licenses, pack of 50",
        KeyKind.ADD_ON,
        (_feature("devices", "Device licenses", 50),),
    ),
    Product(
        "CAL-DEVICE-250",
        "Device licenses, pack of 250",
        KeyKind.ADD_ON,
        (_feature("devices", "Device licenses", 250),),
    ),
    Product(
        "CAL-USER-25",
        "User CALs, pack of 25",
        KeyKind.ADD_ON,
        (_feature("users", "User CALs", 25),),
    ),
    Product(
        "MOD-ANALYTICS",
        "Playback Analytics",
        KeyKind.ADD_ON,
        (_feature("analytics", "Playback analytics"), _feature("export", "Report export")),
    ),
    Product(
        "MOD-EMERGENCY",
        "Emergency Messaging",
        KeyKind.ADD_ON,
        (_feature("emergency", "Emergency messaging"), _feature("cap-feed", "CAP alert feed")),
    ),
    Product(
        "MOD-ROOMS",
        "Meeting Rooms",
        KeyKind.ADD_ON,
        (_feature("rooms", "Room displays", 40), _feature("calendar", "Calendar connector")),
    ),
    Product(
        "MOD-VIDEOWALL",
        "Video Walls",
        KeyKind.ADD_ON,
        (_feature("videowall", "Video walls", 8),),
    ),
    Product(
        "SUP-GOLD",
        "Gold Support",
        KeyKind.ADD_ON,
        (_feature("support-gold", "Support around the clock"),),
    ),
)

FIRST_ACCOUNT = SeedAccount("Meridian Transit Displays", "Enterprise", "meridian.example")
PARTNER_ACCOUNT = SeedAccount("Bluefin Partners", "ProPlus", "bluefin.example")
OTHER_ACCOUNTS = (
    SeedAccount("Kestrel Campus Media", "Pro", "kestrel.example"),
    SeedAccount("Orchard Retail Screens", "OmniD", "orchard.example"),
)

CORE_VERSIONS = ("6.0.4", "6.1.0", "6.1.2", "6.2.0", "6.2.1", "5.9.7", "6.10.0")

PLACES = (
    Place("DE", "Berlin, Hauptbahnhof", ("Berlin Hauptbahnhof", "Berlin Südkreuz")),
    Place("JP", "東京都港区", ("東京本社", "東京 新橋駅")),
    Place("GB", "London, King's Cross", ("London King's Cross", "London Depot")),
    Place("GR", "Αθήνα", ("Αθήνα Κέντρο", "Αθήνα Αεροδρόμιο")),
    Place("US", "Portland, Oregon", ("Portland Union Station", "Portland [east] yard")),
    Place("EG", "القاهرة", ("القاهرة المحطة الرئيسية", "القاهرة المطار")),
    Place("BR", "São Paulo", ("São Paulo Luz", "São Paulo Matriz")),
    Place("KR", "서울특별시", ("서울역", "서울 강남")),
    Place("IN", "मुंबई", ("मुंबई छत्रपति टर्मिनस", "मुंबई कार्यालय")),
    Place("BG", "София", ("София Централна гара", "София Склад")),
    Place("CH", "Zürich", ("Zürich Flughafen", "Zürich HB")),
    Place("IL", "תל אביב", ("תל אביב סבידור", "תל אביב משרד")),
    Place("TH", "กรุงเทพมหานคร", ("กรุงเทพ หัวลำโพง", "กรุงเทพ บางซื่อ")),
    Place("CN", "上海市", ("上海虹桥", "上海 人民广场")),
    Place("IS", "Reykjavík", ("Reykjavík Mjódd", "Reykjavík Lækjartorg")),
    Place("GE", "თბილისი", ("თბილისი ცენტრალური", "თბილისი დეპო")),
    Place("VN", "Hà Nội", ("Hà Nội Ga Trung tâm", "Hà Nội Văn phòng")),
    Place("NG", "Lagos", ("Lagos Ebute Metta", "Lagos Head Office")),
)
