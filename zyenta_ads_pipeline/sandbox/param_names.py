"""The parameters of Meta's creates and updates (v26.0) by kind of object; facts of the API."""

from __future__ import annotations

from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid, not_played
from zyenta_ads_pipeline.sandbox.objects import NODE_TYPES, Kind
from zyenta_ads_pipeline.sandbox.words import words

COMMON = frozenset({"execution_options", "fields", "format", "summary"})
"""Parameters that concern the call, not the object."""


def _names(text: str) -> frozenset[str]:
    return frozenset(words(text))


PLAYED = {
    Kind.CAMPAIGN: _names("""
        adlabels bid_strategy buying_type daily_budget frequency_control_specs
        is_adset_budget_sharing_enabled lifetime_budget name objective pacing_type promoted_object
        special_ad_categories special_ad_category_country spend_cap start_time status stop_time
    """),
    Kind.ADSET: _names("""
        adlabels attribution_spec bid_amount bid_constraints bid_strategy billing_event campaign_id
        daily_budget daily_min_spend_target daily_spend_cap destination_type dsa_beneficiary
        dsa_payor end_time frequency_control_specs is_dynamic_creative lifetime_budget
        lifetime_min_spend_target lifetime_spend_cap name optimization_goal pacing_type
        promoted_object start_time status targeting
    """),
    Kind.AD: _names("""
        adlabels adset_id conversion_domain creative name status tracking_specs
    """),
    Kind.CREATIVE: _names("""
        adlabels asset_feed_spec authorization_category call_to_action contextual_multi_ads
        degrees_of_freedom_spec instagram_user_id name object_story_id object_story_spec
        object_type product_set_id template_url_spec url_tags
    """),
    Kind.LABEL: _names("name"),
}
"""What a create may carry."""

_KNOWN = {
    Kind.CAMPAIGN: _names("""
        budget_schedule_specs execution_options is_budget_schedule_enabled is_direct_send_campaign
        is_message_campaign is_meta_moment_maker_enabled is_pca_unified
        is_reels_trending_ads_enabled is_skadnetwork_attribution iterative_split_test_configs
        source_campaign_id topline_id adset_bid_amounts adset_budgets budget_rebalance_flag
        migrate_to_advantage_plus
    """),
    Kind.ADSET: _names("""
        ad_set_goal adset_schedule attribution_count_type automatic_manual_state bid_adjustments
        budget_schedule_specs budget_source budget_split_set_id campaign_attribution campaign_spec
        creative_sequence daily_imps existing_customer_budget_percentage
        full_funnel_exploration_mode is_ba_skip_delayed_eligible is_budget_schedule_enabled
        is_dc_follow_optimized is_incremental_attribution_enabled is_sac_cfca_terms_certified
        is_sequenced_conversion_creation lifetime_imps line_number live_video_ad_campaign_config
        max_budget_spend_percentage meta_moment_maker_spec min_budget_spend_percentage
        multi_event_conversion_attribution_window_seconds multi_optimization_goal_weight
        optimization_sub_event placement_soft_opt_out rb_prediction_id
        regional_regulated_categories regional_regulation_identities relative_value
        rf_prediction_id source_adset_id time_based_ad_rotation_id_blocks
        time_based_ad_rotation_intervals time_start time_stop topline_id trending_topics_spec
        tune_for_category value_rule_set_id value_rules_applied
    """),
    Kind.AD: _names("""
        ad_schedule_end_time ad_schedule_start_time adset_spec audience_id
        creative_asset_groups_spec creative_audience_pairing_persona creative_automation_spec
        dataset_split_specs display_sequence draft_adgroup_id engagement_audience
        include_demolink_hashes priority source_ad_id
    """),
    Kind.CREATIVE: _names("""
        actor_id ad_disclaimer_spec applink_treatment body branded_content
        branded_content_sponsor_page_id bundle_folder_id categorization_criteria
        category_media_source creative_sourcing_spec destination_set_id destination_spec
        dynamic_ad_voice enable_launch_instant_app existing_post_title facebook_branded_content
        format_transformation_spec generative_asset_spec image_crops image_file image_hash
        image_url instagram_branded_content instagram_permalink_url interactive_components_spec
        is_dco_internal link_og_id link_url marketing_message_structured_spec
        media_optimization_spec media_sourcing_spec object_id object_url omnichannel_link_spec
        page_welcome_message place_page_set_id platform_customizations playable_asset_id
        portrait_customizations product_suggestion_settings recommender_settings
        regional_regulation_disclaimer_spec source_facebook_post_id source_instagram_media_id
        template_url thumbnail_url title use_page_actor_override wamo_whatsapp_identity_spec
    """),
    Kind.LABEL: frozenset(),
}
_GONE = {
    "instagram_actor_id": "instagram_actor_id is no longer supported; use instagram_user_id",
    "smart_promotion_type": "smart_promotion_type is deprecated: legacy Advantage+ campaigns "
    "cannot be created, copied or edited",
}


def refuse_other(kind: Kind, names: frozenset[str], allowed: frozenset[str]) -> None:
    """Refuse the first parameter that is not in `allowed`, saying whether Meta has it."""
    for name in sorted(names - allowed - COMMON):
        raise _refusal(kind, name)


def _refusal(kind: Kind, name: str) -> GraphError:
    if name in _GONE:
        return invalid(_GONE[name])
    if kind is Kind.AD and name == "bid_amount":
        return invalid("bid_amount is no longer supported on ads; set it on the ad set")
    if name in _KNOWN.get(kind, ()):
        return not_played(f"writing the parameter {name}")
    if name in PLAYED.get(kind, ()):
        return invalid(f"Param {name} of an {NODE_TYPES[kind]} cannot be changed")
    return invalid(f"Tried writing nonexisting field ({name}) on node type ({NODE_TYPES[kind]})")
