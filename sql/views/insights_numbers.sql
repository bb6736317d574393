-- raw_insights of every level as numbers, by the account's one canonical purchase type, with the
-- age at which each day was last read and the share of its purchases reported by then.
-- A metric that Meta leaves out of a row is a count of none, so it is 0.
WITH ages AS (
    SELECT
        insights.*,
        accounts.currency AS account_currency,
        accounts.purchase_type,
        accounts.lead_type,
        coalesce(
            reads.age_days, age_of(date, insights.observed_at, accounts.timezone)
        ) AS age_days
    FROM raw_insights AS insights
    JOIN ad_accounts AS accounts USING (account_id)
    LEFT JOIN (FROM insight_reads WHERE stream = 'insights') AS reads USING (date, account_id)
)

SELECT
    date,
    account_id,
    level,
    object_id,
    campaign_id,
    adset_id,
    ad_id,
    coalesce(currency, account_currency) AS currency,
    coalesce(CAST(impressions AS BIGINT), 0) AS impressions,
    coalesce(CAST(clicks AS BIGINT), 0) AS clicks,
    coalesce(CAST(inline_link_clicks AS BIGINT), 0) AS link_clicks,
    CAST(reach AS BIGINT) AS reach,
    coalesce(amount(spend), 0) AS spend,
    counted(actions, purchase_type) AS purchases,
    counted(action_values, purchase_type) AS purchase_value,
    counted(actions, lead_type) AS leads,
    age_days,
    coalesce(lag.completeness, assumed_completeness(age_days)) AS maturity,
    ages.observed_at
FROM ages
LEFT JOIN conversion_lag AS lag USING (account_id, age_days)
