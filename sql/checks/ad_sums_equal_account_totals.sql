-- Complete account days on which the ads do not add up to Meta's own total for the account.
-- Today is left out, since its numbers grow between the call for one level and the next.
-- Meta rounds every row's spend, so each ad row may add half a minor unit of difference.
WITH numbers AS (
    SELECT
        date,
        account_id,
        level,
        minor_unit(accounts.currency) AS minor_unit,
        coalesce(CAST(impressions AS BIGINT), 0) AS impressions,
        coalesce(CAST(clicks AS BIGINT), 0) AS clicks,
        coalesce(CAST(spend AS DECIMAL(38, 12)), 0) AS spend
    FROM raw_insights
    JOIN ad_accounts AS accounts USING (account_id)
    WHERE level IN ('ad', 'account')
      AND list_contains($accounts, account_id)
      AND ($since IS NULL OR date BETWEEN $since AND $until)
      AND age_days > 0
),

days AS (
    SELECT
        date,
        account_id,
        minor_unit,
        count(*) FILTER (level = 'ad') AS ads,
        coalesce(sum(impressions) FILTER (level = 'ad'), 0) AS ad_impressions,
        coalesce(sum(impressions) FILTER (level = 'account'), 0) AS account_impressions,
        coalesce(sum(clicks) FILTER (level = 'ad'), 0) AS ad_clicks,
        coalesce(sum(clicks) FILTER (level = 'account'), 0) AS account_clicks,
        coalesce(sum(spend) FILTER (level = 'ad'), 0) AS ad_spend,
        coalesce(sum(spend) FILTER (level = 'account'), 0) AS account_spend
    FROM numbers
    GROUP BY ALL
)

SELECT *
FROM days
WHERE ad_impressions <> account_impressions
   OR ad_clicks <> account_clicks
   OR abs(ad_spend - account_spend) > minor_unit / 2 * greatest(ads, 1)
ORDER BY date, account_id
