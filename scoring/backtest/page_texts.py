"""The words of the backtest page in every language that it speaks."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "ko")

NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "category": "category",
        "brand": "brand",
        "item": "item",
        "any": "any purchase",
        "rightsend": "Rightsend",
        "rule 90 days": "90-day rule",
        "frequency": "frequency rule",
        "recency": "recency rule",
        "activity": "most active first",
        "EASE alone": "EASE alone",
        "best sellers": "best sellers",
        "personal count": "bought most often",
        "personal decayed": "bought most often, lately",
        "random": "random send",
        "": "all customers",
        "repeat_": "bought it before",
        "new_": "new to it",
    },
    "ko": {
        "category": "카테고리",
        "brand": "브랜드",
        "item": "상품",
        "any": "전체 구매",
        "rightsend": "Rightsend",
        "rule 90 days": "90일 규칙",
        "frequency": "구매 빈도 규칙",
        "recency": "최근 구매 규칙",
        "activity": "활동이 많은 순",
        "EASE alone": "EASE 단독",
        "best sellers": "베스트셀러",
        "personal count": "본인 최다 구매",
        "personal decayed": "본인 최근 최다 구매",
        "random": "무작위 발송",
        "": "전체 고객",
        "repeat_": "구매한 적 있는 고객",
        "new_": "처음인 고객",
    },
}

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Backtest",
        "headline": "Does it find the customers who buy?",
        "intro": "For each week below, only what was known before it was used. Then we counted who "
        "really bought.",
        "intro_days": "For each of the {days}-day windows below, only what was known before it was "
        "used. Then we counted who really bought.",
        "lead_category": "Of 100 buyers of a category, {ours} are among the {percent} % of "
        "customers that Rightsend puts first.",
        "lead_brand": "Of 100 buyers of a brand, {ours} are among the {percent} % of customers "
        "that Rightsend puts first.",
        "lead_item": "Of 100 buyers of an item, {ours} are among the {percent} % of customers that "
        "Rightsend puts first.",
        "lead_any": "Of 100 customers who buy, {ours} are among the {percent} % of customers that "
        "Rightsend puts first.",
        "lead_rest": "The 90-day rule finds {rule}; a random send finds {percent}.",
        "send_to": "Send to the best {percent} %",
        "of_100": "buyers found, of 100",
        "rule_means": "90-day rule: whoever bought it in the last 90 days, the most active first.",
        "best_rule": "best of the rules",
        "curve": "The more you send, the more you find",
        "curve_x": "customers sent to, best first",
        "curve_y": "buyers found",
        "band": "Mean over {targets} targets; the shaded band is its 95 % interval.",
        "predicted": "Were the predicted numbers right?",
        "predicted_text": "{expected} buyers were predicted and {observed} came: {off}.",
        "as_many": "as many as predicted, to the percent",
        "too_many": "{percent} % too many were predicted",
        "too_few": "{percent} % too few were predicted",
        "new": "Known buyers and new ones",
        "new_text": "{share} of 100 buyers had never bought it before. They are harder to find: "
        "among customers new to it, the best 20 % hold {ours} of 100 such buyers (90-day rule "
        "{rule}, random 20).",
        "other": "The same for other targets",
        "level": "target",
        "targets": "targets",
        "buyers": "buyers",
        "new_buyers": "new buyers",
        "best": "best {percent} %",
        "ranking": "What each customer is shown",
        "ranking_text": "Of 100 customers who bought, {ours} find something that they then bought "
        "among the ten items we put first for them; among the best sellers {base} do.",
        "ranking_new_text": "Of 100 who bought something new to them, {ours} find it among ten "
        "items they never bought; among the best sellers {base} do.",
        "nothing": "Nothing could be judged.",
        "left_out": "Left out",
        "detail": "For engineers",
        "detail_intro": "All figures with 95 % bootstrap intervals over targets (over customers "
        "where there is one target, and for lists). A target that was judged at several cut-offs "
        "counts once, with its mean. Ties count by expectation.",
        "known": "What was known when",
        "cutoff": "known before (UTC)",
        "until": "judged until (UTC)",
        "model": "model",
        "trained": "trained for this",
        "customers": "customers",
        "items": "items",
        "purchases_before": "purchases before",
        "purchases_after": "purchases in the window",
        "seconds": "seconds",
        "measures": "All measures",
        "method": "method",
        "minus": "Rightsend minus each rival, paired",
        "minus_note": "Bold: the interval lies on one side of zero.",
        "calibration": "Calibration",
        "calibration_x": "predicted probability",
        "calibration_y": "share that bought",
        "calibration_note": "Each mark holds a tenth of the predicted buyers. Calibration error "
        "{error} (ten bins of equal size, mean distance).",
        "per_target": "Each target",
        "target": "target",
        "lists": "Lists of ten items",
        "all_items": "all items",
        "new_items": "items new to the customer",
        "ratio": "NDCG / best sellers",
        "repeat": "To repeat",
        "command": "command",
        "settings": "settings",
        "versions": "versions",
        "per_cutoff": "Each cut-off",
        "skip": "Skip to the results",
        "note": "The same figures are in the JSON of the command.",
    },
    "ko": {
        "title": "백테스트",
        "headline": "실제로 구매할 고객을 찾아내는가?",
        "intro": "아래 각 주마다 그 이전에 알려진 정보만 사용했고, 이후 실제로 누가 구매했는지 "
        "세었습니다.",
        "intro_days": "아래 각 {days}일 기간마다 그 이전에 알려진 정보만 사용했고, 이후 실제로 "
        "누가 구매했는지 세었습니다.",
        "lead_category": "카테고리 구매자 100명 중 {ours}명이 Rightsend가 먼저 고른 상위 "
        "{percent}% 고객 안에 있습니다.",
        "lead_brand": "브랜드 구매자 100명 중 {ours}명이 Rightsend가 먼저 고른 상위 {percent}% "
        "고객 안에 있습니다.",
        "lead_item": "상품 구매자 100명 중 {ours}명이 Rightsend가 먼저 고른 상위 {percent}% 고객 "
        "안에 있습니다.",
        "lead_any": "구매 고객 100명 중 {ours}명이 Rightsend가 먼저 고른 상위 {percent}% 고객 "
        "안에 있습니다.",
        "lead_rest": "90일 규칙은 {rule}명, 무작위 발송은 {percent}명을 찾습니다.",
        "send_to": "상위 {percent}%에게 발송",
        "of_100": "구매자 100명 중 찾은 수",
        "rule_means": "90일 규칙: 최근 90일 안에 구매한 고객, 활동이 많은 순.",
        "best_rule": "가장 좋은 규칙",
        "curve": "더 많이 보낼수록 더 많이 찾습니다",
        "curve_x": "발송 대상 고객 (좋은 순)",
        "curve_y": "찾은 구매자",
        "band": "대상 {targets}개의 평균이며, 음영은 95% 구간입니다.",
        "predicted": "예측한 숫자는 맞았는가?",
        "predicted_text": "구매자 {expected}명을 예측했고 {observed}명이 구매했습니다: {off}.",
        "as_many": "예측과 1% 이내로 일치",
        "too_many": "{percent}% 많게 예측",
        "too_few": "{percent}% 적게 예측",
        "new": "기존 구매자와 신규 구매자",
        "new_text": "구매자 100명 중 {share}명은 이전에 구매한 적이 없었습니다. 이들은 찾기가 더 "
        "어렵습니다: 처음인 고객 중 상위 20%에 이런 구매자 100명 중 {ours}명이 있습니다 (90일 규칙 "
        "{rule}명, 무작위 20명).",
        "other": "다른 대상에 대한 결과",
        "level": "대상",
        "targets": "대상 수",
        "buyers": "구매자",
        "new_buyers": "신규 구매자",
        "best": "상위 {percent}%",
        "ranking": "고객에게 보여 주는 상품",
        "ranking_text": "구매한 고객 100명 중 {ours}명은 먼저 보여 주는 10개 상품 안에 이후 구매한 "
        "상품이 있습니다. 베스트셀러 목록은 {base}명입니다.",
        "ranking_new_text": "처음 사는 상품을 구매한 고객 100명 중 {ours}명은 구매한 적 없는 10개 "
        "상품 안에 그 상품이 있습니다. 베스트셀러 목록은 {base}명입니다.",
        "nothing": "평가할 수 있는 것이 없습니다.",
        "left_out": "제외됨",
        "detail": "엔지니어용 상세",
        "detail_intro": "모든 수치는 대상에 대한 95% 부트스트랩 구간과 함께 표시됩니다 (대상이 "
        "하나이거나 목록이면 고객 기준). 여러 시점에서 평가한 대상은 평균으로 한 번만 셉니다. "
        "동점은 기댓값으로 셉니다.",
        "known": "언제 무엇을 알았는가",
        "cutoff": "이 시점 이전의 정보 (UTC)",
        "until": "평가 종료 (UTC)",
        "model": "모델",
        "trained": "새로 학습",
        "customers": "고객",
        "items": "상품",
        "purchases_before": "이전 구매",
        "purchases_after": "기간 중 구매",
        "seconds": "초",
        "measures": "모든 지표",
        "method": "방법",
        "minus": "Rightsend와 각 방법의 차이 (짝지은 비교)",
        "minus_note": "굵은 글씨: 구간이 0의 한쪽에만 있습니다.",
        "calibration": "확률 보정",
        "calibration_x": "예측 확률",
        "calibration_y": "실제 구매 비율",
        "calibration_note": "각 점은 예측 구매자의 10분의 1입니다. 보정 오차 {error} (같은 크기의 "
        "구간 10개, 평균 거리).",
        "per_target": "대상별 결과",
        "target": "대상",
        "lists": "상품 10개 목록",
        "all_items": "모든 상품",
        "new_items": "고객에게 새로운 상품",
        "ratio": "NDCG / 베스트셀러",
        "repeat": "다시 실행하려면",
        "command": "명령",
        "settings": "설정",
        "versions": "버전",
        "per_cutoff": "시점별 결과",
        "skip": "결과로 건너뛰기",
        "note": "같은 수치가 명령의 JSON에도 있습니다.",
    },
}
