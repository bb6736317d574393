-- insights_by_hour as numbers. Website purchases are absent from hours, not zero, so there are
-- none here and no ROAS; nor is there any reach.
SELECT
    date,
    hour,
    fold,
    starts_at,
    hours,
    account_id,
    level,
    object_id,
    campaign_id,
    adset_id,
    ad_id,
    currency,
    coalesce(CAST(impressions AS BIGINT), 0) AS impressions,
    coalesce(CAST(clicks AS BIGINT), 0) AS clicks,
    coalesce(CAST(inline_link_clicks AS BIGINT), 0) AS link_clicks,
    coalesce(amount(spend), 0) AS spend,
    observed_at
FROM insights_by_hour
