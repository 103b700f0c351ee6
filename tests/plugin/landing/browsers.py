"""What real browsers, apps and programs send when they ask for a page."""

from __future__ import annotations

NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "ko-KR,ko;q=0.9,en-US;q=0.8",
}
FETCH = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
_ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
CHROME = {"User-Agent": f"{_ANDROID} Chrome/126.0.0.0 Mobile Safari/537.36", **NAVIGATION, **FETCH}
PEOPLE = {
    "Chrome": CHROME,
    "Samsung Internet": CHROME
    | {"User-Agent": f"{_ANDROID} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"},
    "Safari 15, before it said what a request is for": {
        "User-Agent": f"{_IPHONE} (KHTML, like Gecko) Version/15.0 Mobile/15E148 Safari/604.1",
        **NAVIGATION,
    },
    "Chrome of iOS": {
        "User-Agent": f"{_IPHONE} (KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148",
        **NAVIGATION,
    },
    "KakaoTalk's own browser": CHROME
    | {"User-Agent": f"{_ANDROID} Version/4.0 Chrome/126.0.0.0 Mobile;KAKAOTALK 2410760"},
    "Naver's app": CHROME
    | {"User-Agent": f"{_ANDROID} Chrome/126.0.0.0 Mobile NAVER(inapp; search; 2000; 12.8.54)"},
    "Daum's app": CHROME
    | {"User-Agent": f"{_ANDROID} Chrome/126.0.0.0 Mobile DaumApps/7.11.2 DaumDevice/mobile"},
    "Instagram": {
        "User-Agent": f"{_IPHONE} Mobile/15E148 Instagram 335.0 (iPhone14,7; iOS 17_5)",
        **NAVIGATION,
    },
    "a phone whose name ends like a robot's": CHROME
    | {"User-Agent": "Mozilla/5.0 (Linux; Android 11; CUBOT_X30) Chrome/126.0.0.0 Mobile"},
    "Firefox": {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        **NAVIGATION,
        **FETCH,
    },
}
PROGRAM_NAMES = (
    "",
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)",
    "Mozilla/5.0 (compatible; Daum/4.1; +http://cs.daum.net/faq/15/4118.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.0.0",
    f"{_ANDROID} Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; AdsBot-Google-Mobile)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0.0.0 Safari/537.36 BingPreview/1.0b",
    "Mozilla/4.0 (compatible; ms-office; MSOffice rmj)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Barracuda Sentinel (EE)",
)
