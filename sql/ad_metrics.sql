-- One row per ad and day: Meta's texts as numbers, one canonical purchase type per account.
-- A metric that Meta leaves out of a row is a count of none, so it is 0; an ad without delivery
-- has no row at all.
WITH served AS (
    SELECT
        insights.*,
        accounts.currency AS account_currency,
        accounts.purchase_type,
        accounts.lead_type,
        from_json(actions, '[{"action_type":"VARCHAR","value":"VARCHAR"}]') AS counted,
        from_json(action_values, '[{"action_type":"VARCHAR","value":"VARCHAR"}]') AS valued
    FROM raw_insights AS insights
    JOIN ad_accounts AS accounts USING (account_id)
    WHERE level = 'ad'
      AND date BETWEEN $since AND $until
),

numbers AS (
    SELECT
        date,
        account_id,
        campaign_id,
        adset_id,
        ad_id,
        coalesce(currency, account_currency) AS currency,
        coalesce(CAST(impressions AS BIGINT), 0) AS impressions,
        coalesce(CAST(clicks AS BIGINT), 0) AS clicks,
        coalesce(CAST(inline_link_clicks AS BIGINT), 0) AS link_clicks,
        CAST(reach AS BIGINT) AS reach,
        coalesce(CAST(spend AS DECIMAL(38, 12)), 0) AS spend,
        coalesce(CAST(
            list_filter(counted, lambda item: item.action_type = purchase_type)[1].value
            AS DECIMAL(38, 12)), 0) AS purchases,
        coalesce(CAST(
            list_filter(valued, lambda item: item.action_type = purchase_type)[1].value
            AS DECIMAL(38, 12)), 0) AS purchase_value,
        coalesce(CAST(
            list_filter(counted, lambda item: item.action_type = lead_type)[1].value
            AS DECIMAL(38, 12)), 0) AS leads,
        least(age_days, 28) / 28 AS maturity,
        observed_at
    FROM served
)

SELECT
    *,
    ctr(clicks, impressions) AS ctr,
    cpc(spend, clicks) AS cpc,
    cpm(spend, impressions) AS cpm,
    cpa(spend, purchases) AS cpa,
    roas(purchase_value, spend) AS roas
FROM numbers
ORDER BY date, account_id, ad_id
