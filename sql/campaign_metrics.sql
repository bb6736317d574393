-- One row per campaign and day: sums of its ads, ratios of those sums.
-- Reach does not add up, so it comes from Meta's own row of this level.
WITH sums AS (
    SELECT
        date,
        account_id,
        campaign_id,
        any_value(currency) AS currency,
        CAST(sum(impressions) AS BIGINT) AS impressions,
        CAST(sum(clicks) AS BIGINT) AS clicks,
        CAST(sum(link_clicks) AS BIGINT) AS link_clicks,
        sum(spend) AS spend,
        sum(purchases) AS purchases,
        sum(purchase_value) AS purchase_value,
        sum(leads) AS leads,
        min(maturity) AS maturity,
        max(observed_at) AS observed_at
    FROM ad_metrics
    WHERE date BETWEEN $since AND $until
    GROUP BY ALL
),

reached AS (
    SELECT
        date,
        account_id,
        object_id,
        CAST(reach AS BIGINT) AS reach
    FROM raw_insights
    WHERE level = 'campaign'
      AND date BETWEEN $since AND $until
)

SELECT
    sums.*,
    reached.reach,
    ctr(clicks, impressions) AS ctr,
    cpc(spend, clicks) AS cpc,
    cpm(spend, impressions) AS cpm,
    cpa(spend, purchases) AS cpa,
    roas(purchase_value, spend) AS roas
FROM sums
LEFT JOIN reached
    ON reached.date = sums.date
    AND reached.account_id = sums.account_id
    AND reached.object_id = sums.campaign_id
ORDER BY sums.date, sums.campaign_id
