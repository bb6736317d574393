-- One row per creative of ours and day: the numbers of its ad. A creative that is not on Meta, or
-- without delivery that day, has no row.
SELECT
    metrics.date,
    metrics.account_id,
    creatives.creative_id,
    creatives.campaign_id,
    metrics.ad_id,
    metrics.currency,
    impressions,
    clicks,
    link_clicks,
    spend,
    purchases,
    purchase_value,
    leads,
    ctr(clicks, impressions) AS ctr,
    cpc(spend, clicks) AS cpc,
    cpm(spend, impressions) AS cpm,
    cpa(spend, purchases) AS cpa,
    roas(purchase_value, spend) AS roas,
    metrics.maturity,
    metrics.observed_at
FROM ad_metrics AS metrics
JOIN ad_creatives AS creatives
    ON creatives.account_id = metrics.account_id
    AND creatives.platform_ad_id = metrics.ad_id
ORDER BY metrics.date, metrics.account_id, creatives.creative_id
