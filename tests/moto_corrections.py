"""Corrections of moto where a difference from AWS affects the tests: the CA's id in a certificate's description, the
conflict between equal thing names, one endpoint per account and Region (also of the data plane), the missing
DeleteConnection (every client is connected), the key in a certificate that is issued for a CSR, updates of shadows, the
version of a thing, which each update increases and may require, and the limits of a thing's attributes and groups.
"""

import re
from typing import Any

import pytest
from cryptography import x509
from moto import backend_index
from moto.iot.exceptions import InvalidRequestException, ResourceAlreadyExistsException, VersionConflictException
from moto.iot.models import FakeCertificate, FakeEndpoint, FakeThing, IoTBackend
from moto.iot.responses import IoTResponse
from moto.iotdata import urls as iotdata_urls
from moto.iotdata.models import FakeShadow
from moto.iotdata.responses import IoTDataPlaneResponse

from infra.local.ministack.registry_limits import MAX_GROUPS, attributes_problem, updated
from tests.certificates import issued_for

_OWN_ENDPOINT = r"https?://a1b2c3d4-ats\.iot\.(.+)\.amazonaws.com"
"""The data-plane endpoint of every account, which `FakeEndpoint` returns."""
_update_shadow, _update_thing = FakeShadow.create_from_previous_version, IoTResponse.update_thing
_add_to_any_group = IoTBackend.add_thing_to_thing_group


def correct(patched: pytest.MonkeyPatch) -> None:
    """Correct moto while `patched` lasts."""
    described, create_thing = FakeCertificate.to_description_dict, IoTBackend.create_thing

    def with_ca(certificate: FakeCertificate) -> dict[str, Any]:
        ca = {"caCertificateId": certificate.ca_certificate_id} if certificate.ca_certificate_id else {}
        return {**described(certificate), **ca}

    def create_or_conflict(backend: IoTBackend, **wanted: Any) -> FakeThing:
        name, attributes = wanted["thing_name"], (wanted["attribute_payload"] or {}).get("attributes", {})
        found = next((thing for thing in backend.things.values() if thing.thing_name == name), None)
        if found is None:
            _require_valid(attributes, has_type=bool(wanted.get("thing_type_name")))
            return create_thing(backend, **wanted)
        found_type = found.thing_type.thing_type_name if found.thing_type else None
        if (found.attributes, found_type) == (attributes, wanted.get("thing_type_name")):
            return found
        raise ResourceAlreadyExistsException(f"Thing {name} already exists in account", name, found.arn)

    def endpoint(found: FakeEndpoint, kind: str, region: str) -> None:
        found.region_name, found.endpoint_type = region, kind
        found.endpoint = f"a1b2c3d4-ats.iot.{region}.amazonaws.com"

    def for_its_key(backend: IoTBackend, csr: str, set_as_active: object) -> FakeCertificate:
        pem = issued_for(x509.load_pem_x509_csr(csr.encode()))
        active = set_as_active in (True, "true")
        return backend.register_certificate(pem, ca_certificate_pem=None, set_as_active=active, status="INACTIVE")

    patched.setattr(IoTBackend, "add_thing_to_thing_group", _add_to_group)
    patched.setattr(IoTResponse, "update_thing", _update_expected_version)
    patched.setattr(IoTBackend, "create_certificate_from_csr", for_its_key)
    patched.setattr(FakeCertificate, "to_description_dict", with_ca)
    patched.setattr(IoTBackend, "create_thing", create_or_conflict)
    patched.setattr(FakeEndpoint, "__init__", endpoint)
    patched.setattr(FakeShadow, "create_from_previous_version", staticmethod(_updated))
    patched.setattr(iotdata_urls, "url_bases", [*iotdata_urls.url_bases, _OWN_ENDPOINT])
    patterns = [*backend_index.backend_url_patterns, ("iotdata", re.compile(_OWN_ENDPOINT))]
    patched.setattr(backend_index, "backend_url_patterns", patterns)
    patched.setattr(IoTDataPlaneResponse, "delete_connection", lambda _response: "{}", raising=False)


def _update_expected_version(response: IoTResponse) -> Any:
    name, expected = response._get_param("thingName"), response._get_param("expectedVersion")
    thing = response.iot_backend.describe_thing(name)
    if expected is not None and int(expected) != thing.version:
        raise VersionConflictException(name)
    payload = response._get_param("attributePayload")
    attributes = thing.attributes if payload is None else updated(thing.attributes, payload)
    removes_type = response._get_param("removeThingType")
    has_type = not removes_type and bool(thing.thing_type or response._get_param("thingTypeName"))
    _require_valid(attributes, has_type=has_type)
    answer = _update_thing(response)
    thing.version += 1
    return answer


def _add_to_group(
    backend: IoTBackend, thing_group_name: str, thing_group_arn: str | None, thing_name: str, thing_arn: str | None
) -> None:
    joined = [each["groupName"] for each in backend.list_thing_groups_for_thing(thing_name)]
    if thing_group_name not in joined and len(joined) >= MAX_GROUPS:
        raise InvalidRequestException(f"got a thing in {len(joined)} thing groups, want at most {MAX_GROUPS}")
    _add_to_any_group(backend, thing_group_name, thing_group_arn, thing_name, thing_arn)


def _require_valid(attributes: dict[str, str], *, has_type: bool) -> None:
    problem = attributes_problem(attributes, has_type=has_type)
    if problem is not None:
        raise InvalidRequestException(problem)


def _updated(before: FakeShadow | None, request: dict[str, Any] | None) -> FakeShadow:
    """Remove the sections that are null (AWS IoT developer guide, "Device Shadow service documents"), and keep the
    times of the values that are not in the request ("Updates affect only the fields specified"). moto ignores a section
    that is null, and gives all values the time of the update."""
    updated = _update_shadow(before, request)
    changes = (request or {}).get("state") or {}
    for section in ("desired", "reported"):
        times, change = f"metadata_{section}", changes.get(section, {})
        if change is None:
            setattr(updated, section, None)
            setattr(updated, times, None)
        else:
            setattr(updated, times, _times(getattr(updated, times), change, getattr(before, times, None)))
    return updated


def _times(now: Any, change: Any, before: Any) -> Any:
    """Return the times of values after a change: `now` has the time of the change for all of them."""
    if not (isinstance(now, dict) and isinstance(change, dict) and isinstance(before, dict)):
        return now
    return {
        key: _times(of, change[key], before.get(key)) if key in change else before.get(key, of)
        for key, of in now.items()
    }
