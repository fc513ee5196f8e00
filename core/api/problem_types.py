"""Every problem code the API answers with, and what it means: GET /api/v1/problems/{code}."""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.errors import Text


class ProblemType(NamedTuple):
    status: int
    meaning: Text


PROBLEM_TYPES: dict[str, ProblemType] = {
    "bad_request": ProblemType(400, _("The request cannot be understood.")),
    "not_json": ProblemType(400, _("The body is not JSON, or is nested too deeply.")),
    "bad_parameter": ProblemType(400, _("A parameter is unknown, given twice, or has an impossible value.")),
    "bad_cursor": ProblemType(400, _("The cursor was made for another list, another person or other filters.")),
    "bad_if_match": ProblemType(400, _("If-Match does not hold an ETag of ours.")),
    "bad_idempotency_key": ProblemType(400, _("An Idempotency-Key is 1 to 200 printable ASCII characters.")),
    "not_signed_in": ProblemType(401, _("There is no valid session or token.")),
    "denied": ProblemType(403, _("You are known, but lack the permission that is named.")),
    "proof_needed": ProblemType(403, _("Show once more who you are: the sign-in is more than ten minutes ago.")),
    "csrf": ProblemType(403, _("A change by session needs the CSRF token of one of our pages.")),
    "not_found": ProblemType(404, _("There is nothing here, or nothing that you may see.")),
    "method_not_allowed": ProblemType(405, _("The address does not understand this method.")),
    "not_acceptable": ProblemType(406, _("The address cannot answer in the form that Accept asks for.")),
    "too_slow": ProblemType(408, _("The body did not arrive in time.")),
    "conflict": ProblemType(409, _("The present state does not allow this.")),
    "name_taken": ProblemType(409, _("Something of this name exists already.")),
    "operation_active": ProblemType(409, _("Another operation is at work on the same target; `operation` is its id.")),
    "cluster_not_usable": ProblemType(409, _("A check found why the cluster cannot be used; `findings` say what.")),
    "cluster_silent": ProblemType(409, _("The cluster does not answer, so nobody can see what is left there.")),
    "tag_immutable": ProblemType(409, _("A rule of the project says that this tag never moves.")),
    "not_cancellable": ProblemType(409, _("The operation has ended already, or is being cancelled.")),
    "already_stopped": ProblemType(409, _("It is stopped already.")),
    "already_started": ProblemType(409, _("It is running already.")),
    "not_deployed": ProblemType(409, _("The app is not deployed to this environment.")),
    "still_running": ProblemType(409, _("The app is still deployed somewhere.")),
    "project_not_active": ProblemType(409, _("The project is suspended, archived or deleted.")),
    "wrong_state": ProblemType(409, _("The project is not in a state from which this is possible.")),
    "image_in_use": ProblemType(409, _("The image runs somewhere; `runs_in` says where, as far as you may see it.")),
    "has_history": ProblemType(409, _("Something was deployed there, and its history is kept.")),
    "last_owner": ProblemType(409, _("A tenant always keeps an owner.")),
    "asked_already": ProblemType(409, _("The same has been asked for and waits for an answer.")),
    "no_policy": ProblemType(409, _("The stage takes every image; no approval is needed there.")),
    "approved_already": ProblemType(409, _("The image is approved for the stage already.")),
    "decided_already": ProblemType(409, _("The person has answered the request already.")),
    "not_approved": ProblemType(409, _("The approval does not hold any more.")),
    "stage_left_out": ProblemType(409, _("An earlier stage has to approve the image first.")),
    "scan_objects": ProblemType(409, _("The scan of the image does not pass what the stage asks for.")),
    "image_not_approved": ProblemType(409, _("An image is not approved for the stage; `services` name whose.")),
    "image_gone": ProblemType(409, _("The image is not in the registry any more.")),
    "factor_exists": ProblemType(409, _("The account has such a second factor already.")),
    "held_already": ProblemType(409, _("The person has this role there already.")),
    "by_group": ProblemType(409, _("A group gives this; it is taken there.")),
    "still_held": ProblemType(409, _("People hold this role; `held_by` names them.")),
    "too_many_roles": ProblemType(409, _("The tenant has as many roles of its own as it may have.")),
    "no_end": ProblemType(409, _("The role has no end that could be later.")),
    "taken_at_once": ProblemType(409, _("What was taken at once in an emergency is not extended.")),
    "nothing_to_review": ProblemType(409, _("There is no role to look at.")),
    "review_over": ProblemType(409, _("The access review is closed or called off.")),
    "answered_already": ProblemType(409, _("The role was ended by an earlier answer.")),
    "grant_over": ProblemType(409, _("The role ended in another way meanwhile.")),
    "lines_open": ProblemType(409, _("Some lines of the review wait for an answer.")),
    "kept_elsewhere": ProblemType(409, _("An identity service keeps this; it is changed there.")),
    "not_open": ProblemType(409, _("The request or invitation was answered, used or taken back, or is too old.")),
    "host_away": ProblemType(409, _("The host does not answer, so nothing can be moved off it.")),
    "volumes_stay": ProblemType(
        409, _("Services on the host keep data in volumes that stay behind; `leave_volumes` says that this is meant.")
    ),
    "no_environment": ProblemType(409, _("The project has no environment to deploy to.")),
    "nothing_before": ProblemType(409, _("There is no earlier release to go back to.")),
    "console_ended": ProblemType(409, _("The console has ended.")),
    "instance_gone": ProblemType(409, _("The cluster does not hold this instance any more, nor its log.")),
    "quota_exceeded": ProblemType(
        409, _("The quota of the project or tenant does not allow so much; `quota` says what is left.")
    ),
    "returned_already": ProblemType(409, _("The loan went back already.")),
    "too_many_webhooks": ProblemType(409, _("The project has as many webhooks as it may have.")),
    "messages_wait": ProblemType(409, _("Messages to this webhook wait to be sent.")),
    "too_many_registries": ProblemType(409, _("The project has as many registries as it may have.")),
    "too_many_rules": ProblemType(409, _("The project has as many replication rules as it may have.")),
    "no_registry": ProblemType(409, _("There is no registry here.")),
    "remote_refused": ProblemType(409, _("The other registry does not let us in with this user and password.")),
    "remote_odd": ProblemType(409, _("The other registry does not answer as a registry does.")),
    "remote_status": ProblemType(409, _("The other registry answers with a status that was not expected.")),
    "remote_list": ProblemType(409, _("The other registry’s list has no end, or leads in circles.")),
    "remote_realm": ProblemType(409, _("The other registry does not say where to sign in.")),
    "remote_signs_in_elsewhere": ProblemType(409, _("The other registry signs in at an address that was not named.")),
    "remote_not_allowed": ProblemType(409, _("The other registry leads to an address that may not be reached.")),
    "no_builder": ProblemType(409, _("No cluster builds images here, or this one cannot.")),
    "builds_full": ProblemType(409, _("As many builds of this project wait as may.")),
    "uploads_full": ProblemType(409, _("Open uploads take all that they may; `left_bytes` says what is left.")),
    "upload_offset": ProblemType(
        409, _("The bytes do not begin where the last ones ended; `received_bytes` says where.")
    ),
    "not_open_to_all": ProblemType(409, _("The repository is not open to everybody who signs in.")),
    "no_base": ProblemType(409, _("The repository is no base image.")),
    "upload_over": ProblemType(409, _("The upload has ended already.")),
    "in_use": ProblemType(409, _("Something else still uses this.")),
    "changed_meanwhile": ProblemType(412, _("Somebody changed this since the version in If-Match.")),
    "too_large": ProblemType(413, _("The body is larger than 1 MiB.")),
    "unsupported_media_type": ProblemType(415, _("The body is not application/json.")),
    "invalid": ProblemType(422, _("One or more fields are wrong; `errors` names each.")),
    "archive_refused": ProblemType(
        422, _("The archive is not one of an image, or holds what none has; `reason` says what.")
    ),
    "specification_invalid": ProblemType(
        422, _("The specification cannot be used; `errors` lists all that stands in the way.")
    ),
    "idempotency_key_reused": ProblemType(422, _("The Idempotency-Key was used for another request.")),
    "too_many": ProblemType(429, _("Too much at once; try again after Retry-After seconds.")),
    "too_many_streams": ProblemType(429, _("Too many log streams are open at the same time.")),
    "internal_error": ProblemType(500, _("Something in Berth went wrong; it is logged under the request id.")),
    "unavailable": ProblemType(503, _("Something that is needed does not answer just now; try again later.")),
    "remote_away": ProblemType(503, _("The other registry does not answer just now; try again later.")),
    "cluster_away": ProblemType(503, _("The cluster does not answer just now; try again later.")),
    "registry_away": ProblemType(503, _("The registry does not answer just now; try again later.")),
    "no_space": ProblemType(507, _("The disk is full; nothing was changed.")),
}


class WrongField(serializers.Serializer[None]):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField(required=False)


class Problem(serializers.Serializer[None]):
    """RFC 9457. Some codes add a member, e.g. `operation` (the one in the way) or `permission` (the one missing)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(required=False)
    errors = WrongField(many=True)  # type: ignore[assignment]  # RFC 9457 and we call it so; DRF has a property
