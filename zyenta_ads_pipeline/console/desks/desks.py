"""All desks of one office."""

from __future__ import annotations

from zyenta_ads_pipeline.console.desks.accounts import AccountDesk
from zyenta_ads_pipeline.console.desks.campaigns import CampaignDesk
from zyenta_ads_pipeline.console.desks.catalogue import CatalogueDesk
from zyenta_ads_pipeline.console.desks.changes import ChangeDesk
from zyenta_ads_pipeline.console.desks.people import PeopleDesk
from zyenta_ads_pipeline.console.desks.rules import RuleDesk
from zyenta_ads_pipeline.console.desks.runs import RunDesk
from zyenta_ads_pipeline.console.desks.switches import SwitchDesk
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.store.replies import Replies


class Desks:
    """The desks of an office, each made once; and the kept replies, for idempotency keys."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.campaigns = CampaignDesk(office)
        self.changes = ChangeDesk(office)
        self.accounts = AccountDesk(office)
        self.catalogue = CatalogueDesk(office)
        self.runs = RunDesk(office)
        self.switches = SwitchDesk(office)
        self.rules = RuleDesk(office)
        self.people = PeopleDesk(office)
        self.replies = Replies(office.store)
