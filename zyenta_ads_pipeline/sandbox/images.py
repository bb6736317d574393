"""`/act_X/adimages`: images by their content. A hash is good in its own account alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, not_played
from zyenta_ads_pipeline.sandbox.image_header import image_size
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.write_errors import missing, refused, wrong

LARGEST_IMAGE = 30 * 1024 * 1024
_HOST = "https://scontent.sandbox.example"
_DELETED = "DELETED"


def upload_images(call: Call, desk: Desk) -> tuple[list[Thing], dict[str, Any]]:
    """The images that a call uploads or copies, and Meta's answer, whose keys vary.

    An image that the account has already keeps its object, and comes back to life if it was
    deleted.
    """
    if "url" in call.params:
        raise GraphError(3, "(#3) Application does not have the capability to make this API call.")
    if "zipbytes" in call.params:
        raise not_played("images in archives (zipbytes)")
    things: dict[str, Thing] = {}
    answer: dict[str, Any] = {}
    for key, name, content in _contents(call, desk):
        thing = _image(desk, name, content) if isinstance(content, bytes) else _copy(desk, content)
        things[thing.node_id] = thing
        shown = ("hash", "url", "width", "height")
        answer[key] = {each: thing.attributes[each] for each in shown} | {"name": thing.name}
    if not things:
        raise missing("bytes")
    return list(things.values()), {"images": answer}


def delete_image(call: Call, desk: Desk) -> Thing:
    """The image of `hash`, deleted. Raises `GraphError` when the account has none."""
    if not call.params.get("hash"):
        raise missing("hash")
    image = desk.objects.get(f"{desk.account.id}:{call.params['hash']}")
    if image is None or image.status == _DELETED:
        raise wrong("hash", f"Image hash {call.params['hash']} is not of this ad account")
    return replace(image, status=_DELETED, updated_time=desk.now)


def _contents(call: Call, desk: Desk) -> Iterator[tuple[str, str, bytes | Thing]]:
    """Each image with its key in the answer and its name; copies as the images they are of."""
    for upload in call.files:
        key = upload.name or upload.field
        yield key, key, upload.content
    if "bytes" in call.params:
        # Form encoding turns a + that was not escaped into a space.
        text = call.params["bytes"].replace(" ", "+")
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise wrong("bytes", "Param bytes must be a base64 encoded image") from None
        yield "bytes", call.params.get("name") or "bytes", content
    if "copy_from" in call.params:
        given = desk.reads(call.params).object("copy_from") or {}
        source = f"{given.get('source_account_id')}".removeprefix("act_")
        image = desk.objects.get(f"{source}:{given.get('hash')}")
        if image is None or image.kind is not Kind.IMAGE or image.status == _DELETED:
            raise wrong("copy_from", "The image to copy does not exist")
        yield image.attributes["hash"], image.name, image


def _image(desk: Desk, name: str, content: bytes) -> Thing:
    if len(content) > LARGEST_IMAGE:
        raise wrong("bytes", "The image is larger than 30 MB")
    size = image_size(content)
    if size is None:
        raise refused(1487411, blame="bytes")
    return _of_account(desk, name, hashlib.md5(content, usedforsecurity=False).hexdigest(), *size)


def _copy(desk: Desk, image: Thing) -> Thing:
    values = image.attributes
    return _of_account(desk, image.name, values["hash"], values["width"], values["height"])


def _of_account(desk: Desk, name: str, digest: str, width: int, height: int) -> Thing:
    node_id = f"{desk.account.id}:{digest}"
    known = desk.objects.get(node_id)
    if known is not None:
        return known if known.status == "ACTIVE" else replace(known, status="ACTIVE")
    attributes = {
        "hash": digest,
        "url": f"{_HOST}/images/{desk.account.id}/{digest}",
        "url_128": f"{_HOST}/images/{desk.account.id}/{digest}?width=128",
        "permalink_url": f"{_HOST}/permalinks/{desk.account.id}/{digest}",
        "width": width,
        "height": height,
        "original_width": width,
        "original_height": height,
    }
    return desk.thing(Kind.IMAGE, name, id=node_id, attributes=attributes)
