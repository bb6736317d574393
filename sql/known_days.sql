-- Per account day, campaign and ad set: the ads' numbers as the snapshot knows them, with the age at
-- which they were last read. A model over raw_insights alone, so that it can be asked as of a moment.
SELECT
    date,
    campaign_id,
    adset_id,
    CAST(sum(impressions) AS BIGINT) AS impressions,
    CAST(sum(clicks) AS BIGINT) AS clicks,
    CAST(sum(spend) AS DECIMAL(38, 12)) AS spend,
    CAST(sum(purchases) AS DECIMAL(38, 12)) AS conversions,
    CAST(sum(purchase_value) AS DECIMAL(38, 12)) AS revenue,
    min(age_days) AS age_days,
    max(observed_at) AS observed_at
FROM insights_numbers
WHERE level = 'ad'
  AND account_id = $account
  AND date BETWEEN $since AND $until
GROUP BY ALL
ORDER BY ALL
